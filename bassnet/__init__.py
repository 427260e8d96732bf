"""What gets trained: BassNet, a variational gated autoencoder that plays the bass to a mix.

Source: Grachten, Lattner & Deruty 2020, "BassNet: A Variational Gated Autoencoder for Conditional Generation of Bass
Guitar Tracks with Learned Interactive Control".
"""
