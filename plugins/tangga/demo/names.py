"""The words people and the shop use. All persons are made up, and so are the numbers and addresses.

Addresses lie in domains that RFC 2606 reserves, so that no mail can reach anybody; telephone numbers
begin with 0891 to 0894, which, as far as we know, no Indonesian operator has been given.
"""

from __future__ import annotations

WOMEN = [
    "Ani", "Ayu", "Bunga", "Citra", "Dewi", "Dian", "Eka", "Endah", "Fatimah", "Fitri", "Gita", "Hana", "Indah",
    "Intan", "Kartika", "Kirana", "Lestari", "Laras", "Maya", "Melati", "Mega", "Nadia", "Nur'aini", "Nurul",
    "Oktavia", "Puspita", "Putri", "Rahma", "Ratna", "Rina", "Salma", "Sari", "Sekar", "Siti", "Sri", "Tari",
    "Tiara", "Utami", "Vina", "Wulan", "Yanti", "Yulia", "Zahra",
]  # fmt: skip
MEN = [
    "Adi", "Agus", "Ahmad", "Andi", "Arif", "Bagus", "Bambang", "Bayu", "Budi", "Cahyo", "Dani", "Dimas", "Eko",
    "Fajar", "Fauzan", "Galih", "Hadi", "Hendra", "Iqbal", "Irfan", "Joko", "Krisna", "Lukman", "Ma'ruf", "Made",
    "Nanda", "Oka", "Panji", "Putu", "Rama", "Reza", "Rizky", "Satria", "Slamet", "Surya", "Taufik", "Teguh",
    "Umar", "Wahyu", "Wayan", "Yoga", "Yusuf", "Zaki",
]  # fmt: skip
FAMILIES = [
    "Anggraini", "Ardiansyah", "Astuti", "Aziz", "Batubara", "Damanik", "Fadillah", "Firmansyah", "Ginting",
    "Gunawan", "Hakim", "Halim", "Handayani", "Harahap", "Hartono", "Hasanah", "Hidayat", "Irawan", "Iskandar",
    "Kurniawan", "Kusuma", "Lubis", "Mahendra", "Maharani", "Manurung", "Marpaung", "Nainggolan", "Nasution",
    "Nugraha", "Nugroho", "Permana", "Pradana", "Pratama", "Prasetyo", "Purnama", "Purwanto", "Rachman",
    "Ramadhani", "Rangkuti", "Saputra", "Saragih", "Setiawan", "Siahaan", "Simanjuntak", "Siregar", "Situmorang",
    "Subagyo", "Sudirman", "Suharto", "Sulistyo", "Suryadi", "Sutanto", "Syahputra", "Tampubolon", "Tanjung",
    "Wibowo", "Wicaksono", "Widodo", "Wijaya", "Yulianto",
]  # fmt: skip
# What people type into a name field, and what others try there.
STRANGE_NAMES = [
    "<b>Dewi</b>", "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "+SUM(1,1)", "@budi", "-Rina", "{{ 7*7 }}",
    "Robert'); DROP TABLE contacts;--",
]  # fmt: skip
DOMAINS = [
    "example.com", "mail.example.com", "surat.example.com", "example.org", "kantor.example.org", "example.net",
]  # fmt: skip
DOMAIN_WEIGHTS = [4, 6, 3, 2, 2, 1]
ROLE_ADDRESSES = ["info@toko.example.org", "admin@kantor.example.org", "sales@toko.example.com", "cs@mail.example.net"]
INVALID_ADDRESSES = ["tidak ada", "-", "siti.example.com", "budi@@example.com", "rina@", "@example.com"]
CITIES = [
    "Jakarta Selatan", "Jakarta Barat", "Jakarta Timur", "Jakarta Pusat", "Jakarta Utara", "Depok", "Bekasi",
    "Tangerang Selatan", "Bogor", "Bandung", "Semarang", "Yogyakarta", "Surabaya", "Malang", "Medan", "Makassar",
    "Denpasar", "Palembang",
]  # fmt: skip
CITY_WEIGHTS = [18, 11, 12, 8, 7, 8, 8, 7, 5, 5, 2, 2, 3, 1, 1, 1, 1, 1]
SHIPPING = [9, 9, 9, 9, 9, 11, 11, 11, 13, 14, 18, 18, 19, 20, 28, 32, 24, 24]  # thousand rupiah, by city
JOBS = [
    "", "karyawan swasta", "wiraswasta", "guru", "mahasiswa", "ibu rumah tangga", "PNS", "desainer", "perawat",
    "pensiunan",
]  # fmt: skip
ORIGINS = ["instagram", "google", "teman", "toko", "tiktok", "bazar", "marketplace"]
ORIGIN_WEIGHTS = [28, 22, 14, 12, 14, 4, 6]
SEARCHES = [
    "kopi gayo", "batik pria", "hampers", "cangkir", "rotan", "teh melati", "oleh-oleh", "kado ibu", "tenun",
    "promo",
]  # fmt: skip
PAGES = ["/", "/promo", "/kategori", "/cerita-pengrajin", "/toko-kami", "/gratis-ongkir"]

PRAISE = [
    "Barangnya bagus, kirimnya cepat.", "Kopinya wangi sekali!", "Pelayanan ramah, akan beli lagi.",
    "Batiknya halus, puas.",
    "Mantap, sudah langganan.", "Kemasan rapi; cocok untuk kado.", "",
]  # fmt: skip
SHRUGS = ["Biasa saja.", "Lumayan, ongkir agak mahal.", "Sesuai harga.", "Pengiriman bisa lebih cepat.", ""]
GRUMBLES = [
    "Barang datang pecah.", "Pesanan salah kirim, CS lambat.", "Sudah dua minggu belum sampai!",
    "Warnanya tidak sesuai foto.",
    "Kecewa, tidak akan beli lagi.", 'Katanya "ready stock", ternyata kosong.', "",
]  # fmt: skip
# Windows-1252, as the helpdesk writes them: accents and dashes are bytes that UTF-8 does not know.
TOPICS = {
    "pertanyaan": ["Stok kopi café blend", "Ukuran batik", "Jam buka toko", "Cara bayar – QRIS", "Ongkir ke luar Jawa"],
    "permintaan": ["Ubah alamat kirim", "Faktur pajak", "Tukar ukuran", "Bungkus kado décor", "Résumé pesanan"],
    "keluhan": ["Barang pecah", "Salah kirim", "Kiriman terlambat", "Crème brûlée rusak", "Warna beda – voilà"],
}
REFUND_REASONS = ["barang rusak", "salah kirim", "stok habis", "berubah pikiran", "kurang isi"]
