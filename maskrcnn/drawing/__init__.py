"""Pictures with things drawn on them: masks, outlines, boxes, keypoints, labels. NumPy and OpenCV, no Streamlit."""
