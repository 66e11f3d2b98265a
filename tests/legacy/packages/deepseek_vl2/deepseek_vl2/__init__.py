"""A package in the manner of DeepSeek-VL2: installed beside the weights, not among them."""
