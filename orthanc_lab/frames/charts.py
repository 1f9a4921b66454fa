"""One call for each chart; they return matplotlib axes, which a notebook shows.

Colours can be told apart by colour-blind readers (Okabe and Ito). pyplot is not used: nothing stays open.
To save a chart: ``chart.figure.savefig("chart.png")``.
"""

from orthanc_lab.frames.job_charts import jobs_timeline, throughput
from orthanc_lab.frames.metric_charts import metrics_over_time, storage_growth
from orthanc_lab.frames.montage import montage
from orthanc_lab.frames.style import Charts

__all__ = ["Charts", "jobs_timeline", "metrics_over_time", "montage", "storage_growth", "throughput"]
