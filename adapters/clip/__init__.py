"""CLIP for dense prediction: image and text towers built from open_clip's blocks, and prompts."""
