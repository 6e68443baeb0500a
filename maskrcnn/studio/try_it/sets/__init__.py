"""Sets of pictures on the Try it page: their files, the work in the background, and their figures. No Streamlit."""
