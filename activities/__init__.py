"""What is done, once: the steps that processes declare, carried out."""
