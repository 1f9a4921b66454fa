"""The small tree of patients that most scenarios begin with."""

TREE = """
a1, patient:ParentPatient, study:ParentStudy, series:ParentSeries = POST /instances @a1
a2 = POST /instances @a2
a3 = POST /instances @a3
b1, series2:ParentSeries = POST /instances @b1
c1, study2:ParentStudy, series3:ParentSeries = POST /instances @c1
d1, patient2:ParentPatient, study3:ParentStudy, series4:ParentSeries = POST /instances @d1
"""
