"""Drawing on pictures: masks, outlines, boxes, keypoints and labels. Uses NumPy and OpenCV, not Streamlit."""
