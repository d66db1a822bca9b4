"""Getting back into a login, where its address may be somebody else's too."""
