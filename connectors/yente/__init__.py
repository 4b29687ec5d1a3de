"""Screening by yente, the API of OpenSanctions: hosted by them, or by ourselves."""
