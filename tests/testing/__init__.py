"""What esflow ships for tests of flows, tested."""
