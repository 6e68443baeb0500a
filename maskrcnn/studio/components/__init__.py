"""Components that several pages share: canvas, charts, gallery, the size of the window."""
