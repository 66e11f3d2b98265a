"""A vision-language model small enough to come with the project: trained from scratch on `benchmarks.synthetic`.

``python -m benchmarks.tiny_vlm train|evaluate|export``; docs/tiny-vlm.md says how.
"""
