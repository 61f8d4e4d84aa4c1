"""What every store must do, and what each adapter must do beyond it."""
