"""Run folders: what keeps a long training safe, and what it leaves behind."""
