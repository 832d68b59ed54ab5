"""The dashboard of acgen: `panel serve app/main.py --show`."""
