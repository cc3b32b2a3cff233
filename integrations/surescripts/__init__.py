"""The prescription network: SCRIPT messages, their transport and the directory."""
