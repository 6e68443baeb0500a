"""Parts of the page Label next: a network looks at the pictures (`look_queue`), they are ranked (`ranking`) and shown
with what the network suggests (`ranked_gallery`)."""
