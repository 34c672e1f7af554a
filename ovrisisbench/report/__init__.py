"""Records -> static pages that open from the disk, with neither a server nor a network.

``gathering`` reads what there is, ``rows`` brings records and table together, ``*_page`` modules make the content of
pages, ``pictures`` what they show of images, ``writing`` renders and writes everything.
"""

from ovrisisbench.report.writing import ReportFiles, write_report

__all__ = ["ReportFiles", "write_report"]
