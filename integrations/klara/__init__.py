"""Klara, the patients' channel: signature check, profile, events and client. Never decides, never starts anything."""
