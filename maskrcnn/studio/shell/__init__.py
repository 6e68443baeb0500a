"""What all pages share: URL state, session, side bar, project list, keyboard, and escaping of user text."""
