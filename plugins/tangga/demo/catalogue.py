"""What the shop sells: coffee, tea, batik and things for the home; prices in rupiah, tax not included."""

from __future__ import annotations

import numpy as np

_ASSORTMENT: dict[str, list[tuple[str, int]]] = {
    "Kopi": [
        ("Kopi Gayo 250 g", 98_000), ("Kopi Toraja Sapan 250 g", 112_000), ("Kopi Kintamani 250 g", 105_000),
        ("Kopi Flores Bajawa 250 g", 99_000), ("Kopi Mandheling 500 g", 178_000), ("Kopi Luwak Liar 100 g", 385_000),
        ("Kopi Tubruk Rumahan 200 g", 42_000), ("Kopi Susu Gula Aren 1 L", 78_000),
    ],
    "Teh & Rempah": [
        ("Teh Melati Poci 100 g", 24_000), ("Teh Hijau Kayu Aro 80 g", 38_000), ("Wedang Uwuh 10 sachet", 32_500),
        ("Wedang Jahe Merah 250 g", 36_000), ("Beras Kencur Botol 500 ml", 28_000), ("Kayu Manis Kerinci", 29_500),
        ("Bumbu Rendang Siap Masak", 27_500), ("Garam Laut Amed 200 g", 34_000),
    ],
    "Camilan": [
        ("Keripik Tempe Malang", 18_500), ("Rengginang Terasi", 22_000), ("Kacang Bali Disco", 26_000),
        ("Pisang Sale Ciamis", 31_000), ("Cokelat Aceh 72 %", 48_500), ("Brem Solo", 19_500),
        ("Keripik Singkong Balado", 21_000), ("Kue Nastar Toples 500 g", 95_000),
    ],
    "Batik": [
        ("Kemeja Batik Parang", 289_000), ("Kemeja Batik Kawung", 275_000), ("Dress Batik Mega Mendung", 345_000),
        ("Kain Batik Tulis Lasem", 850_000), ("Selendang Batik Pekalongan", 165_000), ("Outer Batik Cap", 235_000),
        ("Sarung Batik Madura", 189_000), ("Tas Jinjing Batik", 129_000),
    ],
    "Dapur": [
        ("Cobek Batu Muntilan", 145_000), ("French Press 600 ml", 215_000), ("Dripper V60 Keramik", 138_000),
        ("Cangkir Enamel Lurik", 39_500), ("Talenan Kayu Jati", 119_000), ("Sendok Kayu Sonokeling Isi 6", 87_500),
        ("Teko Tanah Liat Plered", 98_500), ("Wajan Besi Tempa 28 cm", 265_000),
    ],
    "Rumah": [
        ("Keranjang Rotan Bundar", 175_000), ("Lampu Meja Bambu", 320_000), ("Sarung Bantal Tenun", 89_000),
        ("Taplak Tenun Troso", 149_000), ("Vas Keramik Kasongan", 112_000), ("Tempat Tisu Pandan", 58_500),
        ("Karpet Mendong 120 x 180", 245_000), ("Cermin Bingkai Rotan", 410_000),
    ],
    "Aksesori": [
        ("Gelang Perak Celuk", 225_000), ("Anting Mutiara Lombok", 298_000), ("Kalung Manik Dayak", 135_000),
        ("Bros Filigri Kotagede", 168_000), ("Dompet Kulit Garut", 195_000), ("Topi Anyaman Tasik", 79_500),
        ("Scarf Sutra Ulat Murbei", 375_000), ("Ikat Pinggang Tenun", 92_500),
    ],
    "Perawatan": [
        ("Sabun Sereh Wangi", 25_000), ("Minyak Kelapa Murni 250 ml", 68_000), ("Lulur Boreh Bali", 55_000),
        ("Minyak Atsiri Nilam 10 ml", 85_000), ("Lilin Aroma Cendana", 125_000), ("Minyak Urut Sumbawa", 47_500),
        ("Masker Bengkoang", 18_000), ("Body Mist Melati", 72_000),
    ],
}  # fmt: skip

CATEGORIES = list(_ASSORTMENT)
PER_CATEGORY = 8
PRODUCTS = [name for products in _ASSORTMENT.values() for name, _ in products]
PRICES = np.array([price for products in _ASSORTMENT.values() for _, price in products])
SKUS = [
    f"{category[:3].upper()}-{number:03d}"
    for category, products in _ASSORTMENT.items()
    for number, _ in enumerate(products, start=1)
]
# Half of what a shop sells comes from a few of its products: weights fall off within each category.
POPULARITY = np.array([1 / rank for _ in CATEGORIES for rank in range(1, PER_CATEGORY + 1)])
