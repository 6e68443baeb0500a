"""The Evaluation page: the whole set of pictures of a run after an epoch, from its AP down to the single object."""
