"""The simple canvas of the Annotate page: streamlit-drawable-canvas, for a quick box or outline of few points."""
