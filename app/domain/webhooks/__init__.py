"""Webhooks: who is told what ended, and how."""
