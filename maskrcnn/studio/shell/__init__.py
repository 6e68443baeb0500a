"""What every page has around it: address, session, side bar, projects, keyboard, and how foreign words are shown."""
