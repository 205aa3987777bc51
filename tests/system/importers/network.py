"""A network of MobileNetV2's shape in PyTorch, a quarter as wide; runs in the importer's Python.

Source of the shape: Sandler and others, "MobileNetV2: Inverted Residuals and Linear Bottlenecks"
(2018), table 2.
"""

# mypy: ignore-errors

import torch
from torch import nn

SIZE = 96
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2))


def _width(channels):
    return max(8, channels // 4 // 8 * 8)


def _step(inside, outside, kernel=1, stride=1, groups=1, active=True):
    convolution = nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups, bias=False)
    layers = [convolution, nn.BatchNorm2d(outside)]
    return nn.Sequential(*layers, nn.ReLU6()) if active else nn.Sequential(*layers)


class Block(nn.Module):
    def __init__(self, inside, outside, stride, expansion):
        super().__init__()
        wide = inside * expansion
        self.sum = stride == 1 and inside == outside
        first = [] if expansion == 1 else [_step(inside, wide)]
        depth = _step(wide, wide, 3, stride, groups=wide)
        self.steps = nn.Sequential(*first, depth, _step(wide, outside, active=False))

    def forward(self, image):
        return image + self.steps(image) if self.sum else self.steps(image)


class Network(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        inside = _width(32)
        blocks = [_step(3, inside, 3, 2)]
        for expansion, channels, count, stride in STAGES:
            for number in range(count):
                first = stride if number == 0 else 1
                blocks.append(Block(inside, _width(channels), first, expansion))
                inside = _width(channels)
        self.features = nn.Sequential(*blocks, _step(inside, 128))
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(128, classes))

    def forward(self, image):
        return self.head(self.features(image).mean((2, 3)))


def build():
    """Return the network with moving averages that are not those of a new one, and an example."""
    torch.manual_seed(0)
    network = Network()
    network.train()
    with torch.no_grad():
        for _ in range(5):
            network(torch.randn(8, 3, SIZE, SIZE) * 2 + 1)
    return network, torch.zeros(1, 3, SIZE, SIZE)


def without_example():
    return build()[0]


def two_maps():
    class Maps(nn.Module):
        def forward(self, image):
            return {"low": image.mean(1, keepdim=True), "high": image.amax(1, keepdim=True)}

    return Maps(), torch.zeros(1, 3, 8, 12)


def needs_another():
    import timm

    return timm.create_model("resnet18")


def fails():
    raise ValueError("the weights are missing")


def not_a_module():
    return 3
