"""Networks: scores that denoise atoms and forward models that predict their spectra."""
