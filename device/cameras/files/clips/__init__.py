"""What the container of a video says, read without a decoder: codec, rotation, whether it is whole.

OpenCV's releases differ in what they report of this, and in what they do about a rotation.
"""
