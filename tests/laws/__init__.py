"""The laws, each as a property of generated flows, under every fault that can be made here."""
