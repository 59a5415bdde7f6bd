// Lời của các danh sách dài: tìm, xem thêm.

export const list = {
  more: "Xem thêm",
  found: (shown: number, total: number) => (total === 0 ? "Không tìm thấy" : `Đang hiện ${shown} trong ${total}`),
  searchRooms: "Tìm phòng theo tên phòng hoặc tên trường",
  searchDevices: "Tìm thiết bị mới theo tên, hãng hoặc số máy",
  searchLessons: "Tìm tiết học theo tên, môn hoặc trường tổ chức",
  searchPeople: "Tìm người theo họ tên hoặc tên đăng nhập",
  searchOrganisations: "Tìm đơn vị theo tên hoặc mã",
};
