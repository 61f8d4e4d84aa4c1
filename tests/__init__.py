"""What esflow promises, as laws, contracts and examples."""
