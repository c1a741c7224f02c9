#!/usr/bin/env python3
"""Writes net.pth (32 bits) and net.safetensors (16): a tiny network of the family, written down once more in PyTorch, with its
weights and, as `logits` in the second file, what it computes. The numbers do not change with the version; run it by

    pip install torch numpy safetensors && python tests/data/import/write.py
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

BASE, DEPTH, SIZE = 1, 3, (17, 8, 10)  # z, y, x
SLOPE, EPSILON = 0.3, 1e-3


class ConvNorm(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv3d(inputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.InstanceNorm3d(outputs, eps=EPSILON, affine=True)

    def forward(self, x):
        return self.norm(self.conv(x))


class SqueezeExcite(nn.Module):
    def __init__(self, channels):
        super().__init__()
        narrow = max(channels // 16, 1)
        self.squeeze = nn.Linear(channels, narrow)
        self.excite = nn.Linear(narrow, channels)

    def forward(self, x):
        scale = torch.sigmoid(self.excite(F.relu(self.squeeze(x.mean(dim=(2, 3, 4))))))
        return x * scale[:, :, None, None, None]


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.a = ConvNorm(inputs, outputs)
        self.shortcut = ConvNorm(inputs, outputs)
        self.b = ConvNorm(outputs, outputs)
        self.se = SqueezeExcite(outputs)

    def forward(self, x):
        main = self.se(self.b(F.leaky_relu(self.a(x), SLOPE)))
        return F.leaky_relu(main + self.shortcut(x), SLOPE)


class Up(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs, 2, 2, 2))
        self.norm = nn.InstanceNorm3d(outputs, eps=EPSILON, affine=True)

    def forward(self, x, skip):
        x = F.conv_transpose3d(F.pad(x, (0, 1, 0, 1, 0, 1)), self.weight, stride=2)
        z, y, w = skip.shape[2:]
        return F.leaky_relu(self.norm(x), SLOPE)[:, :, :z, :y, :w]


class Net(nn.Module):
    def __init__(self, base, depth, inputs, outputs):
        super().__init__()
        width = [base << level for level in range(depth + 1)]
        self.stem = ConvNorm(inputs, base)
        self.down = nn.ModuleList(Block(width[i], width[i + 1]) for i in range(depth))
        self.up = nn.ModuleList(Up(width[i + 1], width[i]) for i in range(depth))
        self.merge = nn.ModuleList(Block(2 * width[i], width[i]) for i in range(1, depth))
        self.head = ConvNorm(2 * base, base)
        self.out = nn.Conv3d(base, outputs, 1)

    def forward(self, x):
        x = F.leaky_relu(self.stem(x), SLOPE)
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(F.max_pool3d(x, 2))
        for level in reversed(range(len(skips))):
            both = torch.cat([skips[level], self.up[level](x, skips[level])], dim=1)
            x = self.merge[level - 1](both) if level > 0 else F.leaky_relu(self.head(both), SLOPE)
        return self.out(x)


def main():
    torch.manual_seed(5)
    net = Net(BASE, DEPTH, inputs=1, outputs=1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(parameter.uniform_(-0.5, 0.5).half())  # so that 16 bits are enough
        count = SIZE[0] * SIZE[1] * SIZE[2]
        image = torch.tensor([i * 7919 % 1000 / 500 - 1 for i in range(count)], dtype=torch.float32)
        logits = net(image.reshape(1, 1, *SIZE))
    here = Path(__file__).parent
    torch.save({"state_dict": net.state_dict(), "epoch": 3}, here / "net.pth")
    state = {f"model.{name}": tensor.half() for name, tensor in net.state_dict().items()}
    save_file({**state, "logits": logits.contiguous()}, here / "net.safetensors")


if __name__ == "__main__":
    main()
