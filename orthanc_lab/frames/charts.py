"""One function for each chart; they return matplotlib axes, which a notebook displays.

Colour-blind readers can tell the colours apart (Okabe and Ito). pyplot is not used, so no figures stay open.
To save a chart: ``chart.figure.savefig("chart.png")``.
"""

from orthanc_lab.protocol.optional import needs_extra

with needs_extra("orthanc_lab.frames.charts", "frames", "matplotlib"):
    from orthanc_lab.frames.job_charts import jobs_timeline, throughput
    from orthanc_lab.frames.metric_charts import metrics_over_time, storage_growth
    from orthanc_lab.frames.montage import montage
    from orthanc_lab.frames.style import Charts

__all__ = ["Charts", "jobs_timeline", "metrics_over_time", "montage", "storage_growth", "throughput"]
