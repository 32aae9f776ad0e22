"""GGUF files, and llama.cpp, which reads them.

A room of ``harness_transformers``, since a file is made from a merge, a chat template and a
tokenizer as this plugin loads them, and its answers are asked and read by the same chats.
"""
