"""Layer 3: scenes of garments whose boxes are known, and small networks trained and measured on them.

Names are imported on first use (listed in ``__init__.pyi``): to make scenes, no network is loaded.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
