"""Export of a trained network: to ONNX, to torchvision's own file, and to a bundle that another studio opens.

`onnx_file` writes an `.onnx` file and the script that uses it, `torchvision_file` a state dict for torchvision's
builder, `bundle` a zip. Each checks what it made against the network itself, and leaves no file where they differ.
"""
