"""Where data comes from: one small Django app per MIS, all of one shape."""
