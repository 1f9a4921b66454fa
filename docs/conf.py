"""How the site is built: ``sphinx-build -n -W --keep-going docs build/site``, without the network."""

import logging
import sys
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "extension"), str(HERE.parent)]

logging.getLogger("orthanc_lab").setLevel(logging.WARNING)  # the theme prints the log of whatever is imported

project = "orthanc-lab"
copyright = "the orthanc-lab developers, MIT license"
version = release = version_of("orthanc-lab")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "myst_nb",
    "docstrings",
    "job_states",
    "lessons",
    "project_tables",
    "survival",
    "public_names",
]
suppress_warnings = ["config.cache"]
highlight_language = "none"  # for code that does not say what it is
smartquotes_action = "D"  # dashes alone: quotes stay as they are typed
toc_object_entries_show_parents = "hide"

# Notebooks are shown as they were saved: building the site runs nothing.
nb_execution_mode = "off"
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]  # they need a kernel
nb_code_prompt_show, nb_code_prompt_hide = "Show the solution", "Hide the solution"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# `name` in a docstring is a link where there is such a thing, see extension/public_names.py.
default_role = "py:obj"
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
_OTHERS = "BaseException,Enum"  # what is inherited from these is documented elsewhere
autodoc_default_options = {"members": True, "inherited-members": _OTHERS, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
add_module_names = False

# Names of other projects are written out, and linked to nothing: the site is built without the network.
nitpick_ignore_regex = [
    (r"py:.*", r"(collections|concurrent|contextlib|datetime|pathlib|types|typing|enum|ssl|threading)\..*"),
    (
        r"py:.*",
        r"orthanc_lab\.(protocol\.execution|server\.options\.settings|server\.environment|rest\.services|widgets)\..*",
    ),
    (r"py:.*", r"orthanc_lab\.(jobs|storage|testing\.contracts)\..*"),
    (r"py:.*", r"orthanc_lab\.testing\.(certify\.expected|faults\.switches|twins)\..*"),
    (r"py:.*", r"orthanc_lab\.client\.(client\._Server|collection\.R)"),
    (r"py:class", r"Path|t\.Any|Follow|Dataset|Association|PresentationContext|EventHandlerType"),
    (r"py:.*", r"(requests|numpy|np|pandas|pd|matplotlib|pydicom|pytest|ipywidgets|traitlets)\..*"),
    (r"py:.*", r"(nibabel|xarray|SimpleITK)\..*"),
]

pygments_dark_style = "github-dark"
html_theme = "furo"
html_title = "orthanc-lab"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
