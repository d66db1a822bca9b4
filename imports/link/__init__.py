"""The MIS Link: its state, its timetable, its nights and its page in Settings."""
