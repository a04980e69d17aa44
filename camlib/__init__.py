"""Class activation maps: three steps from a network's logit back to the places that made it.

>>> import camlib
>>> network = camlib.networks.efficientnet_lite0()
>>> images = camlib.networks.preprocess(camlib.photos.load("cat"))
>>> camlib.class_activation_maps(network, images).maps.shape
torch.Size([1, 1000, 7, 7])

Names are imported on first use (listed in ``__init__.pyi``), so that the tensor functions need
nothing but torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
