"""Components shared by several pages: canvas, charts, gallery, window size, thumbnails, class colours, networks."""
