"""From a download to a prepared data set: layouts, label maps, one HDF5 file with a manifest.

Import from the modules: ``ovrisisbench.prepare.prepare`` writes a prepared
data set, ``ovrisisbench.prepare.prepared`` reads one.
"""
