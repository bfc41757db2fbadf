"""Sphinx configuration of the site. `make site` gathers the pages; see tools/build_site.py."""

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

project = "DCGAN, step by step"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["static"]
default_role = "code"  # the docstrings' `names`

nb_execution_mode = "off"  # the outputs are the committed ones
nb_ipywidgets_js = {}  # widgets would need a foreign host; they show their text instead
nb_render_markdown_format = "myst"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]  # the widget's view

autodoc_inherit_docstrings = False  # Keras's own are not ours to explain
autodoc_member_order = "bysource"
add_module_names = False

html_theme = "sphinx_book_theme"
html_title = project
html_extra_path = ["static"]  # the explorer, the notebooks to download
html_copy_source = False
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system has it
html_show_sphinx = False
html_theme_options = {
    "use_download_button": False,  # it would offer our copies; each page has its own link
    "use_fullscreen_button": False,
    "navbar_persistent": [],  # a second search field above the first
    "home_page_in_toc": True,
}


def write_math(as_block: bool):
    """Returns how a formula is written: as MathML, which browsers draw without script or font."""

    def visit(translator, node: nodes.Node) -> None:
        formula = str(tex2mathml(node.astext(), as_block=as_block))
        translator.body.append(f"<p>{formula}</p>" if as_block else formula)
        raise nodes.SkipNode

    return visit, None


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer("mathml", write_math(as_block=False), write_math(as_block=True))
    app.config.html_math_renderer = "mathml"
