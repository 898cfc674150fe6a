"""What brings a portable bundle to an account on another server: `dpobot import` (Art. 20 GDPR)."""
