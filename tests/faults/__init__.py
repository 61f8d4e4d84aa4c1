"""What files, disks and power do to a store: ``make test-faults``, with a C compiler."""
