"""The workloads: networks, functions of elements, rows, contractions, factorisations, moving data, loops, growing programs."""
import numpy as np

from workload import Array, Workload, given, labels, param


def mlp(name, batch, sizes):
    arrays = [labels("t", batch, sizes[-1]), given("x", [batch, sizes[0]])]
    layers = list(zip(sizes, sizes[1:]))
    for i, (n, m) in enumerate(layers):
        arrays += [param(f"W{i}", [n, m], 0.31 + 0.1 * i, round(2 / n**0.5, 4)), param(f"b{i}", [m], 0.9, 0.1)]
    names = ", ".join(a.name for a in arrays[2:])
    body = "".join(f"  h = relu(h @ W{i} + b{i})\n" for i in range(len(layers) - 1))
    last = len(layers) - 1

    def twin(n, d):
        h = d["x"]
        for i in range(last):
            h = n.relu(h @ d[f"W{i}"] + d[f"b{i}"])
        return n.cross_entropy(h @ d[f"W{last}"] + d[f"b{last}"], d["t"])
    products = [2 * batch * n * m for n, m in layers]
    Workload(name, arrays, f"fn net({names}) {{\n  h = x\n{body}  return mean(cross_entropy(h @ W{last} + b{last}, t))\n}}\n"
             f"loss J = net({names})\n", twin, function=f"net({names})", flops=3 * sum(products) - products[0])


def networks():
    def tutorial(n, d):
        return 0.5 * (n.relu(d["w2"] * n.relu(d["w1"] * d["x"] + d["b1"]) + d["b2"]) - d["y"])**2
    numbers = {"x": 1, "y": 5, "w1": 2, "b1": 0, "w2": 3, "b2": 1}
    Workload("tutorial", [(given if k in "xy" else param)(k, [], 0, float(v)) for k, v in numbers.items()],
             "a1 = relu(w1*x + b1)\na2 = relu(w2*a1 + b2)\nloss J = 1/2 * (a2 - y)^2\n", tutorial)
    mlp("mlp_tiny", 32, [2, 16, 16, 2])
    mlp("mlp_small", 64, [784, 128, 10])
    mlp("mlp_large", 128, [784, 512, 512, 10])

    steps, batch, hidden = 32, 16, 128

    def lstm(n, d):
        def step(state, x):
            h, c = state
            i, f, o, g = n.split(x @ d["Wx"] + h @ d["U"] + d["b"], 4, 1)
            c = n.sigmoid(f) * c + n.sigmoid(i) * n.tanh(g)
            return n.sigmoid(o) * n.tanh(c), c
        zeros = n.zeros((batch, hidden), d["x"])
        h, _ = n.scan(step, (zeros, zeros), d["x"])
        return (h * h).mean()
    Workload("lstm", [given("x", [steps, batch, hidden]), param("Wx", [hidden, 4 * hidden], 0.31, 0.15),
                      param("U", [hidden, 4 * hidden], 0.47, 0.15), param("b", [4 * hidden], 0.9, 0.1)], f"""fn net(Wx, U, b) {{
  h = zeros([{batch}, {hidden}])
  c = zeros([{batch}, {hidden}])
  for t in 0..{steps} {{
    i, f, o, g = split(x[t] @ Wx + h @ U + b, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    h = sigmoid(o) * tanh(c)
  }}
  return mean(h * h)
}}
loss J = net(Wx, U, b)
""", lstm, function="net(Wx, U, b)", flops=3 * 2 * steps * batch * 2 * hidden * 4 * hidden - 2 * steps * batch * hidden * 4 * hidden)

    length, width, heads, inner = 64, 128, 4, 512

    def transformer(n, d):
        def split(z): return n.permute(z.reshape(1, length, heads, width // heads), (0, 2, 1, 3))
        h = n.layer_norm(d["x"], d["g1"], d["c1"])
        a = n.attention(split(h @ d["Wq"]), split(h @ d["Wk"]), split(h @ d["Wv"]))
        y = d["x"] + n.permute(a, (0, 2, 1, 3)).reshape(1, length, width) @ d["Wo"]
        h = n.layer_norm(y, d["g2"], d["c2"])
        y = y + n.gelu(h @ d["W1"] + d["e1"]) @ d["W2"] + d["e2"]
        return (y * y).mean()
    arrays = [given("x", [1, length, width]), param("g1", [width], 0.9, 0.1, 1.0), param("c1", [width], 0.8, 0.1)]
    arrays += [param(f"W{k}", [width, width], f, 0.15) for k, f in (("q", 0.31), ("k", 0.37), ("v", 0.41), ("o", 0.43))]
    arrays += [param("g2", [width], 0.9, 0.1, 1.0), param("c2", [width], 0.8, 0.1), param("W1", [width, inner], 0.51, 0.15),
               param("e1", [inner], 0.9, 0.1), param("W2", [inner, width], 0.53, 0.08), param("e2", [width], 0.9, 0.1)]
    names = ", ".join(a.name for a in arrays[1:])
    Workload("transformer", arrays, f"""fn heads(z) = transpose(reshape(z, [1, {length}, {heads}, {width // heads}]), [0, 2, 1, 3])
fn joined(z) = reshape(transpose(z, [0, 2, 1, 3]), [1, {length}, {width}])
fn block({names}) {{
  causal = tril(ones([{length}, {length}])) > 0
  h = layer_norm(x, g1, c1)
  a = attention(heads(h @ Wq), heads(h @ Wk), heads(h @ Wv), causal)
  y = x + joined(a) @ Wo
  h = layer_norm(y, g2, c2)
  y = y + gelu(h @ W1 + e1) @ W2 + e2
  return mean(y * y)
}}
loss J = block({names})
""", transformer, function=f"block({names})", tolerance=2e-3,
             flops=3 * 2 * length * (4 * width**2 + 2 * width * inner) + 3 * 4 * length**2 * width)

    # Attention in a script's own words: behind a mask, zeros of a cotangent are strong.
    def masked(n, d):
        h = n.layer_norm(d["x"], d["g"], d["b"])
        q, k, v = (h @ d[W] for W in ("Wq", "Wk", "Wv"))
        scores = n.where(n.tril(n.ones((128, 128))) == 1, q @ n.permute(k, (0, 2, 1)) / 8, -1e9)
        return ((n.softmax(scores) @ v)**2).mean()
    arrays = [given("x", [8, 128, 64]), param("g", [64], 0.9, 0.1, 1.0), param("b", [64], 0.8, 0.1)]
    arrays += [param(f"W{k}", [64, 64], f, 0.15) for k, f in (("q", 0.31), ("k", 0.37), ("v", 0.41))]
    Workload("masked", arrays, """fn attended(g, b, Wq, Wk, Wv) {
  h = layer_norm(x, g, b)
  q = h @ Wq
  k = h @ Wk
  v = h @ Wv
  scores = where(tril(ones([128, 128])) == 1, q @ k.T / 8, -1e9)
  return mean((softmax(scores) @ v)^2)
}
loss J = attended(g, b, Wq, Wk, Wv)
""", masked, function="attended(g, b, Wq, Wk, Wv)", tolerance=2e-3)

    # A recurrent net, as a loop.
    def rnn(n, d):
        return (n.scan(lambda h, x: n.tanh(x @ d["W"] + h @ d["U"]), n.zeros((32, 128), d["x"]), d["x"])**2).sum()
    Workload("rnn", [given("x", [64, 32, 64]), param("W", [64, 128], 0.31, 0.1), param("U", [128, 128], 0.37, 0.05)],
             "h = zeros([32, 128])\nfor t in 0..64 { h = tanh(x[t] @ W + h @ U) }\nloss J = sum(h^2)\n", rnn, tolerance=2e-3)

    pictures = 32

    def lenet(n, d):
        def channelwise(b): return b.reshape(1, -1, 1, 1)
        h = n.max_pool2d(n.relu(n.conv2d(d["x"], d["K1"], 2) + channelwise(d["b1"])), 2)
        h = n.max_pool2d(n.relu(n.conv2d(h, d["K2"], 0) + channelwise(d["b2"])), 2)
        h = n.relu(h.reshape(pictures, 400) @ d["Wa"] + d["ba"])
        h = n.relu(h @ d["Wb"] + d["bb"])
        return n.cross_entropy(h @ d["Wc"] + d["bc"], d["t"])
    arrays = [labels("t", pictures, 10), given("x", [pictures, 1, 28, 28]), param("K1", [6, 1, 5, 5], 0.9, 0.3), param("b1", [6], 0.9, 0.1),
              param("K2", [16, 6, 5, 5], 0.7, 0.15), param("b2", [16], 0.9, 0.1), param("Wa", [400, 120], 0.31, 0.1),
              param("ba", [120], 0.9, 0.1), param("Wb", [120, 84], 0.41, 0.15), param("bb", [84], 0.9, 0.1),
              param("Wc", [84, 10], 0.51, 0.2), param("bc", [10], 0.9, 0.1)]
    names = ", ".join(a.name for a in arrays[2:])
    value = 2 * pictures * (6 * 25 * 784 + 16 * 150 * 100 + 400 * 120 + 120 * 84 + 840)
    Workload("lenet", arrays, f"""fn channelwise(b : [O]) = reshape(b, [1, O, 1, 1])
fn net({names}) {{
  h = max_pool2d(relu(conv2d(x, K1, padding=2) + channelwise(b1)), 2)
  h = max_pool2d(relu(conv2d(h, K2) + channelwise(b2)), 2)
  h = relu(reshape(h, [{pictures}, 400]) @ Wa + ba)
  h = relu(h @ Wb + bb)
  return mean(cross_entropy(h @ Wc + bc, t))
}}
loss J = net({names})
""", lenet, function=f"net({names})", tolerance=2e-3, flops=3 * value - 2 * pictures * 6 * 25 * 784)


def elements():
    def chain(n, d):
        x = d["x"]
        y = x * 1.5 + 0.5
        y = abs(y * y - x) * 0.25
        y = n.sqrt(n.relu(y) + 1.0)
        return (y / (x * x + 2.0)).sum()
    Workload("chain_16m", [param("x", [16_000_000])], """fn chain(x) {
  y = x * 1.5
  y = y + 0.5
  y = y * y
  y = y - x
  y = abs(y)
  y = y * 0.25
  y = relu(y)
  y = y + 1.0
  y = sqrt(y)
  y = y / (x * x + 2.0)
  return sum(y)
}
loss J = chain(x)
""", chain, moved=2 * 4 * 16e6)
    count = 4_000_000
    for f in ("exp", "tanh", "log", "sin", "sigmoid", "erf", "sqrt", "exp2"):
        shift = 1.5 if f in ("log", "sqrt") else 0.0
        Workload(f"{f}_4m", [given("x", [count], 0.7, 1.0, shift)], f"y = {f}(x)\n", lambda n, d, f=f: getattr(n, f)(d["x"]), moved=8 * count)
    Workload("remainder_4m", [given("x", [count], 0.7, 5.0), given("d", [count], 0.3, 0.4, 1.0)], "y = x % d\n",
             lambda n, d: n.remainder(d["x"], d["d"]), moved=12 * count)


def rows():
    Workload("logsumexp_f64", [param("x", [1_280_000], 0.7, 3.0)], "loss J = logsumexp(x)\n", lambda n, d: n.logsumexp(d["x"]), real="f64")
    x, v = [4096, 1024], given("v", [4096, 1024], 0.3)
    norm = [("g", 0.9, 0.1, 1.0), ("b", 0.8, 0.1, 0.0)]
    Workload("softmax", [param("x", x, 0.7, 3.0), v], "loss J = sum(softmax(x) * v)\n", lambda n, d: (n.softmax(d["x"]) * d["v"]).sum())
    Workload("layer_norm", [param("x", x, 0.7, 3.0)] + [param(k, [1024], *w) for k, *w in norm] + [v],
             "loss J = sum(layer_norm(x, g, b) * v)\n", lambda n, d: (n.layer_norm(d["x"], d["g"], d["b"]) * d["v"]).sum(), tolerance=2e-3)
    Workload("softmax_of_8", [param("x", [65536, 8], 0.7, 3.0), given("v", [65536, 8], 0.3)], "loss J = sum(softmax(x) * v)\n",
             lambda n, d: (n.softmax(d["x"]) * d["v"]).sum())
    Workload("mixture", [given("x", [65536], 0.7, 3.0), param("m", [8], 0.9, 2.0), param("s", [8], 0.8, 0.3, 1.0)],
             "fn mixture(m, s) = mean(logsumexp([-((x[i] - m[k]) / s[k])^2 / 2 - log(s[k]) for i in 0..65536, k in 0..8], axis=1))\n"
             "loss J = mixture(m, s)\n",
             lambda n, d: n.logsumexp_rows(-((d["x"][:, None] - d["m"]) / d["s"])**2 / 2 - n.log(d["s"])).mean(), tolerance=2e-3)
    Workload("softmax_value", [given("x", x, 0.7, 3.0)], "y = softmax(x)\n", lambda n, d: n.softmax(d["x"]))
    Workload("layer_norm_value", [given("x", x, 0.7, 3.0)] + [given(k, [1024], *w) for k, *w in norm], "y = layer_norm(x, g, b)\n",
             lambda n, d: n.layer_norm(d["x"], d["g"], d["b"]), tolerance=2e-3)
    Workload("cumsum_1m", [given("x", [1_000_000])], "y = cumsum(x)\n", lambda n, d: n.cumsum(d["x"], 0))
    Workload("cumsum_rows", [given("x", x)], "y = cumsum(x, axis=1)\n", lambda n, d: n.cumsum(d["x"], 1))
    Workload("cumsum_columns", [given("x", x)], "y = cumsum(x, axis=0)\n", lambda n, d: n.cumsum(d["x"], 0))
    Workload("argmax_rows", [given("x", x)], "y = argmax(x, axis=1)\n", lambda n, d: n.argmax(d["x"], 1))
    Workload("transpose", [given("x", x), given("v", x[::-1], 0.3)], "y = x.T + v\n", lambda n, d: n.permute(d["x"], (1, 0)) + d["v"])


def contractions():
    picture, kernel, products = [16, 32, 32, 32], [64, 32, 3, 3], 2 * 16 * 64 * 32 * 9 * 1024
    Workload("conv2d", [given("x", picture), given("k", kernel, 0.3, 0.1)], "y = conv2d(x, k, padding=1)\n",
             lambda n, d: n.conv2d(d["x"], d["k"], 1), flops=products)
    Workload("conv2d_gradient", [param("x", picture), param("k", kernel, 0.3, 0.1)], "y = conv2d(x, k, padding=1)\nloss J = sum(y * y)\n",
             lambda n, d: (n.conv2d(d["x"], d["k"], 1)**2).sum(), flops=3 * products, tolerance=2e-3)
    # By stride 2; of each channel by itself.
    Workload("conv2d_strided", [param("x", picture), param("k", kernel, 0.3, 0.1)],
             "y = conv2d(x, k, stride=2, padding=1)\nloss J = sum(y * y)\n", lambda n, d: (n.conv2d(d["x"], d["k"], 1, 2)**2).sum(),
             flops=3 * products // 4, tolerance=2e-3)
    Workload("conv2d_depthwise", [param("x", [8, 64, 32, 32]), param("k", [64, 1, 3, 3], 0.3, 0.3)],
             "y = conv2d(x, k, padding=1, groups=64)\nloss J = sum(y * y)\n", lambda n, d: (n.conv2d(d["x"], d["k"], 1, 1, 64)**2).sum(),
             tolerance=2e-3)
    for m, k, n in ((64, 784, 128), (512, 512, 512), (1024, 1024, 1024), (2048, 2048, 2048), (1, 512, 512), (512, 512, 1), (17, 333, 91)):
        for real in ("f32", "f64"):
            Workload(f"matmul_{m}x{k}x{n}_{real}", [given("a", [m, k]), given("b", [k, n], 0.3)], "y = a @ b\n", lambda _, d: d["a"] @ d["b"],
                     real=real, flops=2 * m * k * n)
    square = [given("a", [512, 512]), given("b", [512, 512], 0.3)]
    Workload("matmul_at", square, "y = a.T @ b\n", lambda _, d: d["a"].T @ d["b"], flops=2 * 512**3)
    Workload("matmul_bt", square, "y = a @ b.T\n", lambda _, d: d["a"] @ d["b"].T, flops=2 * 512**3)
    Workload("einsum_axis_in_front", [given("a", [26, 22, 3, 4]), given("v", [10000, 22, 4], 0.3)], 'y = einsum("vbj,abij->avi", v, a)\n',
             lambda n, d: n.einsum("vbj,abij->avi", d["v"], d["a"]), flops=2 * 26 * 22 * 3 * 4 * 10000)


def algebra():
    for size in (256, 1000):
        for real in ("f32", "f64"):
            s, u = (np.sin(f * np.arange(size)) for f in (0.7, 0.9))
            def matrix(left, right, f, g, size=size):
                text = f"input A : [{size}, {size}] = 2 * eye({size}) + 0.5 * outer(sin(arange({size}) * {f}), sin(arange({size}) * {g}))\n"
                return Array("input", "A", [size, size], text=text, numbers=2 * np.eye(size) + 0.5 * np.outer(left, right))
            Workload(f"cholesky_{size}_{real}", [matrix(s, s, 0.7, 0.7)], "y = cholesky(A)\n", lambda n, d: n.cholesky(d["A"]), real=real,
                     flops=size**3 / 3)
            Workload(f"solve_{size}_{real}", [matrix(s, u, 0.7, 0.9), given("b", [size], 0.3)], "y = solve(A, b)\n",
                     lambda n, d: n.solve(d["A"], d["b"]), real=real, flops=2 * size**3 / 3)

    # A Gaussian process: the likelihood of 300 points of 8 numbers.
    def gaussian(n, d):
        norms = (d["x"]**2).sum(1)
        distances = norms[:, None] + norms[None, :] - 2 * d["x"] @ d["x"].T
        factor = n.cholesky(n.exp(-distances / (2 * d["l"]**2)) + 0.1 * n.eye(300))
        return 0.5 * (n.solve_lower(factor, d["y"])**2).sum() + n.log(n.diagonal(factor)).sum()
    Workload("gaussian_process", [param("x", [300, 8]), given("y", [300], 0.3), param("l", [], 0, 1.5)], """n = sum(x^2, axis=1)
distances = [n[i] + n[k] for i in 0..300, k in 0..300] - 2 * x @ x.T
L = cholesky(exp(-distances / (2 * l^2)) + 0.1 * eye(300))
loss J = 0.5 * sum(triangular_solve(L, y)^2) + sum(log(diag(L)))
""", gaussian, real="f64")


def movement():
    # No two are alike, whatever rounds: their order is one.
    x = [Array("input", "x", [1_000_000], text="input x : [1000000] = real(i64(arange(1000000)) * 7919 % 1000003)\n",
               numbers=(np.arange(1_000_000) * 7919 % 1_000_003).astype(np.float32))]
    Workload("sort_1m", x, "y = sort(x)\n", lambda n, d: n.sort(d["x"]))
    Workload("argsort_1m", x, "y = argsort(x)\n", lambda n, d: n.argsort(d["x"]))
    index = Array("input", "i", [64000], text="input i : i32[64000] = i32(arange(64000)) * 7919 % 10000\n",
                  numbers=(np.arange(64000, dtype=np.int64) * 7919 % 10000).astype(np.int32))
    table, v = [10000, 64], given("v", [64000, 64], 0.3)
    Workload("gather", [index, given("E", table)], "y = embedding(i, E)\n", lambda n, d: n.take(d["E"], d["i"]))
    Workload("embedding_gradient", [index, param("E", table), v], "loss J = sum(embedding(i, E) * v)\n",
             lambda n, d: (n.take(d["E"], d["i"]) * d["v"]).sum())
    Workload("scatter_add", [index, given("E", table), v], "y = scatter_add(E, i, v)\n", lambda n, d: n.add_at(d["E"], d["i"], d["v"]))


def loops():
    """Beside C++ alone (bench/native): a loop of the other tools costs microseconds a turn."""
    numbers = [param("a", [], 0, 0.999), param("b", [], 0, 0.001)]
    Workload("loop", numbers, "s = 0.5\nfor i in 0..100000 { s = a*s + b }\nloss J = s\n", real="f64")
    Workload("loop_sin", numbers, "s = 0.5\nfor i in 0..100000 { s = sin(a*s + b) }\nloss J = s\n", real="f64")


def growth():
    for layers in (1, 10, 100):
        mlp(f"mlp_{layers}_layers", 16, [32] * (layers + 1))


for family in (networks, elements, rows, contractions, algebra, movement, loops, growth):
    family()
