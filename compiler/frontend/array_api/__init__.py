"""The functions of `mlc.numpy` by the sections of the Array API standard, 2025.12; `frontend/numpy.py` names them.

A section loads when one of its functions is first used. A signature takes what the standard's takes, and what NumPy's
takes where NumPy has the name.
"""
