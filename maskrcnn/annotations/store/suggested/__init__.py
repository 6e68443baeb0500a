"""What networks say of the pictures of a project: `suggestions` until a person decides, `looks` that say which picture
to label next, and the `next_list` that came of it. No part of the labels, of exports or of a training."""
