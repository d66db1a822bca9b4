"""The Verified User Changes Report: how rows settle against the MIS, are shown, and leave as files and mail."""
