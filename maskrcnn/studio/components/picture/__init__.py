"""The picture component: `viewer.py` shows a picture with objects; the JavaScript modules draw it in the browser."""
