"""Help with drawing that is computed from the pixels of a picture, without torch.

`box_outline` turns a box into an outline (GrabCut), `edge_path` finds the path along an edge between two points
(intelligent scissors), `mask_outline` converts a mask to a polygon, and `sam_masks` asks the optional package osam.
`inference.prompted_masks` and `inference.suggestions` have the help of the studio's own networks.
"""
