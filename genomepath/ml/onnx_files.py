"""The names of a model folder's ONNX files, for those that read them without torch."""

TK_TO_GENOMIC = "tk_to_genomic.onnx"
GENOMIC_TO_TK = "genomic_to_tk.onnx"
