"""Learns how sources are to be weighed from labelled items; scikit-learn does the fitting."""
